"""The application's images: what they are built from, how, and the registry that holds them."""
