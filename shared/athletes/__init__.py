"""What four services do alike with athletes: their row, put and erase, and which days are worth sending again."""
