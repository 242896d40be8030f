"""The position viewer: schemes of positions as pictures, and what a shift does to them."""
