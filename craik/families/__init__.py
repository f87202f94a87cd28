"""One final class per way of computing. No family imports another."""
