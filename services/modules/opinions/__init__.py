"""What people say of services: comments on places, institutions' answers, and suggestions to the staff of a region."""
