"""What staff do with a promotion before and after it gives points: draft, lint and try it; where it stands."""
