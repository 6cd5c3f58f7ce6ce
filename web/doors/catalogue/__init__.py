"""空间资源目录: layers and functions found, looked at, tried and taken along."""
