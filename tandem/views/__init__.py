"""Terminal views of the contract's answers: each takes the JSON of an answer and prints it readably."""
