"""空间分析: layers measured against each other."""
