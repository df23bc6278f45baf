"""What happens to a message between the broker and a handler; knows no broker."""
