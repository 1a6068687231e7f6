"""The views: one SQL file each, and the code that loads and installs them."""
