#include "net/ssh_questions.hpp"

#include "async/attempt.hpp"
#include "async/deadline.hpp"
#include "base/error.hpp"
#include "base/log.hpp"
#include "base/text.hpp"
#include "net/socket_stream.hpp"

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <map>

#include <boost/asio/local/stream_protocol.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <fmt/format.h>
#include <sys/socket.h>
#include <unistd.h>

namespace gantry::net {
namespace asio = boost::asio;
using asio::local::stream_protocol;
namespace {

constexpr std::size_t question_max = 1'024;
constexpr std::size_t path_shown = 100;     // OpenSSH cuts the key's path,
constexpr std::size_t machine_shown = 128;  // and the machine's name
constexpr auto patience = Seconds{5};

bool is_ours(stream_protocol::socket& socket) {
  ucred peer{};
  socklen_t size = sizeof peer;
  return ::getsockopt(socket.native_handle(), SOL_SOCKET, SO_PEERCRED, &peer, &size) == 0 &&
         peer.uid == ::geteuid();
}

bool is_of(std::string_view name, const std::vector<std::string>& machines) {
  return std::ranges::any_of(
      machines, [&](std::string_view machine) { return machine.substr(0, machine_shown) == name; });
}

async::task<std::string> read_question(Stream& stream) {
  std::string question;
  char piece[256];
  while (question.size() <= question_max) {
    auto count = co_await stream.read_some(piece);
    if (count == 0) break;
    question.append(piece, count);
  }
  co_return question;
}

}  // namespace

std::optional<SshQuestion> read_ssh_question(std::string_view question, std::string_view identity,
                                             const std::vector<std::string>& machines) {
  constexpr std::string_view key = "Enter passphrase for key '";
  constexpr std::string_view password = "'s password: ";
  if (question.starts_with(key) && !identity.empty()) {
    bool ours = question.substr(key.size()).starts_with(identity.substr(0, path_shown));
    return ours ? std::optional{SshQuestion::passphrase} : std::nullopt;
  }
  // `user@machine's password: ` of the method password, `(user@machine) Password: ` of
  // keyboard-interactive, where the server wrote what stands behind the bracket.
  std::string_view who;
  if (question.starts_with('(')) {
    auto end = question.find(") ");
    if (end == question.npos) return std::nullopt;
    if (text::lowered(question.substr(end)).find("password") == std::string::npos) {
      return std::nullopt;  // a one-time code, say
    }
    who = question.substr(1, end - 1);
  } else if (question.ends_with(password)) {
    who = question.substr(0, question.size() - password.size());
  }
  auto at = who.rfind('@');
  if (at == who.npos || !is_of(who.substr(at + 1), machines)) return std::nullopt;
  return SshQuestion::password;
}

struct SshQuestions::Impl {
  Impl(const async::Executor& executor, std::string path, Answers given)
      : socket{std::move(path)},
        acceptor{executor, stream_protocol::endpoint{socket}},
        answers{std::move(given)} {}
  ~Impl() { stop(); }

  void stop() {
    boost::system::error_code ignored;
    if (acceptor.is_open()) ::unlink(socket.c_str());
    acceptor.close(ignored);
  }

  async::task<void> answer(Stream& stream) {
    auto question = co_await read_question(stream);
    auto kind = read_ssh_question(question, answers.identity, answers.machines);
    // Asked once more, the first answer was wrong; but every machine on the way asks for the key.
    auto most = kind == SshQuestion::passphrase ? answers.machines.size() : 1;
    if (!kind || ++asked[question] > most) {
      log::debug("SSH asks '{}': no answer", text::one_line(question));
      co_return;
    }
    const auto& secret = *kind == SshQuestion::passphrase ? answers.passphrase : answers.password;
    if (!secret.empty()) co_await stream.write(secret.reveal());
  }

  std::string socket;
  stream_protocol::acceptor acceptor;
  Answers answers;
  std::map<std::string, std::size_t> asked;
};

SshQuestions::SshQuestions(const async::Executor& executor, std::string socket, Answers answers) try
    : impl_{std::make_unique<Impl>(executor, std::move(socket), std::move(answers))} {
} catch (const boost::system::system_error& error) {
  throw Failure{{ErrorKind::unavailable,
                 "ssh_room_unusable",
                 fmt::format("cannot answer the questions of SSH: {}", error.code().message()),
                 {}}};
}

SshQuestions::~SshQuestions() = default;

const std::string& SshQuestions::socket() const { return impl_->socket; }

void SshQuestions::stop() { impl_->stop(); }

async::task<void> SshQuestions::serve() {
  for (;;) {
    auto socket = co_await impl_->acceptor.async_accept(asio::use_awaitable);
    if (!is_ours(socket)) continue;
    auto stream = socket_stream(std::move(socket));
    // One at a time: OpenSSH asks one question after the other.
    co_await async::attempt(
        async::with_deadline(patience, "answering a question of SSH", impl_->answer(*stream)));
  }
}

}  // namespace gantry::net
