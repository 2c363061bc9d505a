"""What is known of values: ranges, dtypes, and the guards that bound them."""
