"""Pure functions of tensors. No state, no modules, nothing of craik's."""
