"""The four services of Diary. They never import each other; they meet through protos."""
