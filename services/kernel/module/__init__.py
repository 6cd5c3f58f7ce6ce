"""What makes a package of ``services.modules`` a business module: found by itself, shown as one, told when its matters end."""
