"""What the world says of models, prices and quality today: asked of machine-readable sources, never guessed."""
