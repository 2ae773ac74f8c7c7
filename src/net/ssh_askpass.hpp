#pragma once

#include <string>

namespace gantry::net {

/// The variable that tells a process of our program that OpenSSH started it to ask a question. Its
/// value is the path of the socket on which the answer is given.
inline constexpr const char* ssh_question_variable = "GANTRY_SSH_QUESTION";

/// What such a process does: asks `socket` and prints the answer to its standard output. Answers
/// the process's exit code: not 0 where nobody answers.
int answer_ssh_question(const std::string& socket, const std::string& question);

}  // namespace gantry::net
