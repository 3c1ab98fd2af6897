"""Options and help of every command, a file for each group; what a command does stands beside this folder."""
