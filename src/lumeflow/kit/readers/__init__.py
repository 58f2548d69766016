"""Reading files of rows a piece at a time: whatever their size, little of them is in memory.

A reader is fed the pieces of a file in order and gives the rows that are complete (see `rows.Reader`). Where the pieces
are cut makes no difference to what is read.
"""
