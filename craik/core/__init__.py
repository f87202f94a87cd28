"""The interface: specification, belief state, batch, world model, card. Imports nothing of craik's."""
