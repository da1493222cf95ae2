"""What people and scripts see. Nothing here decides anything."""
