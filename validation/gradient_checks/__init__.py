"""What campaigns on gradients measure and write."""
