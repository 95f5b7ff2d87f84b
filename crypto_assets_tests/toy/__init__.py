"""A third data set, as small as one can be: two files, two layers."""
