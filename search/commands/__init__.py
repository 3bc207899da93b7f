"""The commands of the search: answers to many files as they are done, and what was asked before."""
