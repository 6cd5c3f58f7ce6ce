"""Files on their way into a dataset: read apart, judged row by row, written as one act."""
