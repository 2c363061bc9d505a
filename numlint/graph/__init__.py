"""The expression graph: what a function computes, independent of how it is spelt.

`value` holds the hash-consed values, `vocabulary` the names of the libraries as
data, `module` and `project` what names refer to, `expressions`, `calls` and
`statements` the lowering of syntax to values, `site` the record of where each
operation stands and under which conditions, `terms` the views that rules match.
"""
