"""What a study estimates: curves over size and labels, gains, orders, costs. Numbers alone; `questions` says them."""
