"""What the page asks for after a miss, before anything is generated: the metal and the linker of the sample."""
