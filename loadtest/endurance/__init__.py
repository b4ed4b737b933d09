"""What happens when too much comes, when it goes on for long, and when workers are added?"""
