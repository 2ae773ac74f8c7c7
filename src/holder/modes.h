// What main.c chooses from; each returns the exit code.
#pragma once

int hold(int count, char** prefixes);
int reach(int count, char** outside_and_targets);
int survey(int count, char** words);
