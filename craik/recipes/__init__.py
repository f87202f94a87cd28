"""One file per published system, in the folder of its family. See `craik.core.registry` for what a recipe holds."""
