"""What is opened: files, an example, a structure to compare with; and what becomes of the one before."""
