"""The lab: many training runs that differ in little, and what they say together.

The runs themselves are made in the user's interpreter, by `numlint.runtime.lab`. Here is
decided which are made (`sweep`, `boundary`), where (`workers`, `cluster`, `laboratory`),
where they are kept (`results`), which may be compared (`comparison`), and what would have
helped (`recommend`, with `mitigations`).
"""
