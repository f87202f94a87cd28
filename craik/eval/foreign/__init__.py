"""Other libraries' world models behind craik's interface, so that the score card can ask them too."""
