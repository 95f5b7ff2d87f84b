"""What the benchmark needs beside the product: its inputs and the floor to compare with."""
