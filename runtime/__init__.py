"""What runs inside the interpreter of the code under test. Imports nothing of numlint."""
