"""The roof: the craik command."""
