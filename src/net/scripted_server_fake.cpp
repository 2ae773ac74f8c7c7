#include "net/scripted_server_fake.hpp"

#include "async/event.hpp"
#include "net/http_parser.hpp"

#include <algorithm>
#include <deque>
#include <optional>

#include <boost/asio/error.hpp>
#include <boost/asio/this_coro.hpp>
#include <boost/system/system_error.hpp>
#include <fmt/format.h>

namespace gantry::net {
namespace asio = boost::asio;
namespace {

constexpr Bytes head_max{60U << 10U};

std::string write_head(const ScriptedServer::Reply& reply, std::string_view framing) {
  auto head = fmt::format("HTTP/1.1 {} {}\r\n", reply.status, http::reason(reply.status));
  for (const auto& [name, value] : reply.headers) head += fmt::format("{}: {}\r\n", name, value);
  return head.append(framing).append("\r\n");
}

bool matches(std::string_view pattern, std::string_view target) {
  if (pattern.ends_with('*')) return target.starts_with(pattern.substr(0, pattern.size() - 1));
  if (pattern.find('?') == pattern.npos) target = target.substr(0, target.find('?'));
  return pattern == target;
}

}  // namespace

/// The client's end of a connection; the server's end is what its methods do.
class ScriptedServer::Connection final : public Stream {
 public:
  Connection(ScriptedServer& server, const async::Executor& executor)
      : server_{server}, changed_{executor} {
    server_.open_.push_back(this);
  }
  ~Connection() override {
    std::erase(server_.open_, this);
    for (auto& script : server_.scripts_) {
      if (script.last_ == this) script.last_ = nullptr;
    }
  }

  async::task<std::size_t> read_some(std::span<char> into) override {
    while (outgoing_.empty() && !ended_ && !closed_) co_await changed_.wait();
    if (closed_) throw boost::system::system_error{*closed_};
    if (outgoing_.empty()) co_return 0;
    auto& piece = outgoing_.front();
    auto count = piece.copy(into.data(), into.size());
    piece.erase(0, count);
    if (piece.empty()) outgoing_.pop_front();
    co_return count;
  }

  async::task<void> write(std::string_view bytes) override {
    if (closed_) throw boost::system::system_error{*closed_};
    if (ended_ && outgoing_.empty()) throw boost::system::system_error{asio::error::broken_pipe};
    incoming_.append(bytes);
    process();
    co_return;
  }

  void write_last(std::string bytes) override {
    incoming_.append(bytes);
    process();
  }

  void finish_writing() override {
    if (upgraded_ == nullptr || !upgraded_->on_finish_) return;
    send(upgraded_->on_finish_());
    if (!upgraded_->stay_open_) end();
  }
  void close() override { break_off(asio::error::operation_aborted); }

  void break_off(const boost::system::error_code& cause) {
    closed_ = cause;
    changed_.notify();
  }
  void send(std::string piece) {
    if (!piece.empty()) outgoing_.push_back(std::move(piece));
    changed_.notify();
  }
  void end() {
    ended_ = true;
    changed_.notify();
  }
  bool raw() const { return upgraded_ != nullptr; }

 private:
  void process();
  void answer(const Seen& request);
  void send_reply(const Reply& reply, const Seen& request);
  void follow(Script& script, const Seen& request);

  ScriptedServer& server_;
  async::Event changed_;
  std::string incoming_;
  std::optional<http::RequestParser> parser_;
  std::deque<std::string> outgoing_;
  Script* upgraded_ = nullptr;
  bool ended_ = false;
  std::optional<boost::system::error_code> closed_;
};

void ScriptedServer::Connection::process() {
  while (!incoming_.empty()) {
    if (upgraded_ != nullptr) {
      auto bytes = std::exchange(incoming_, {});
      if (upgraded_->on_bytes_) send(upgraded_->on_bytes_(bytes));
      return;
    }
    if (!parser_) parser_.emplace(head_max);
    auto used = parser_->feed(incoming_);
    if (!used) {
      send(write_head({.status = used.error().status, .body = {}, .headers = {}},
                      "Content-Length: 0\r\nConnection: close\r\n"));
      return end();
    }
    incoming_.erase(0, *used);
    if (!parser_->done()) {
      if (*used == 0) return;
      continue;
    }
    auto& head = parser_->head();
    Seen request{std::move(head.method), std::move(head.target), std::move(head.headers),
                 std::move(parser_->body())};
    parser_.reset();
    answer(request);
  }
}

void ScriptedServer::Connection::answer(const Seen& request) {
  server_.seen_.push_back(request);
  if (auto* script = server_.find(request)) return follow(*script, request);
  server_.unexpected_.push_back(request.method + " " + request.target);
  auto message =
      fmt::format(R"({{"message":"nothing expects {} {}"}})", request.method, request.target);
  send_reply({.status = 500, .body = std::move(message), .headers = {}}, request);
}

void ScriptedServer::Connection::send_reply(const Reply& reply, const Seen& request) {
  bool bodiless = reply.status == 204 || reply.status == 304;
  auto framing =
      bodiless ? std::string{} : fmt::format("Content-Length: {}\r\n", reply.body.size());
  auto message = write_head(reply, framing);
  if (!bodiless && request.method != "HEAD") message += reply.body;
  send(std::move(message));
}

void ScriptedServer::Connection::follow(Script& script, const Seen& request) {
  ++script.used_;
  script.last_ = this;
  switch (script.form_) {
    case Script::Form::fixed:
      send_reply(script.reply_, request);
      break;
    case Script::Form::computed:
      send_reply(script.compute_(request), request);
      break;
    case Script::Form::chunked:
      send(write_head(script.reply_, "Transfer-Encoding: chunked\r\n"));
      for (const auto& piece : script.pieces_) send(http::chunk(piece));
      if (!script.stay_open_ && !script.then_close_) send(std::string{http::last_chunk});
      break;
    case Script::Form::upgraded:
      upgraded_ = &script;
      send(write_head(script.reply_, "Connection: Upgrade\r\nUpgrade: tcp\r\n"));
      for (const auto& piece : script.pieces_) send(piece);
      if (!script.stay_open_ && !script.on_bytes_ && !script.on_finish_) end();
      break;
    case Script::Form::raw:
      for (const auto& piece : script.pieces_) send(piece);
      break;
    case Script::Form::silent:
      break;
  }
  if (script.then_close_) end();
}

ScriptedServer::Script& ScriptedServer::Script::reply(unsigned status, std::string body,
                                                      http::Headers headers) {
  form_ = Form::fixed;
  reply_ = {status, std::move(body), std::move(headers)};
  return *this;
}

ScriptedServer::Script& ScriptedServer::Script::reply_with(
    std::function<Reply(const Seen&)> compute) {
  form_ = Form::computed;
  compute_ = std::move(compute);
  return *this;
}

ScriptedServer::Script& ScriptedServer::Script::stream(unsigned status,
                                                       std::vector<std::string> pieces,
                                                       http::Headers headers) {
  form_ = Form::chunked;
  reply_ = {status, {}, std::move(headers)};
  pieces_ = std::move(pieces);
  return *this;
}

ScriptedServer::Script& ScriptedServer::Script::stay_open() {
  stay_open_ = true;
  return *this;
}

ScriptedServer::Script& ScriptedServer::Script::upgrade(unsigned status,
                                                        std::vector<std::string> pieces,
                                                        http::Headers headers) {
  form_ = Form::upgraded;
  reply_ = {status, {}, std::move(headers)};
  pieces_ = std::move(pieces);
  return *this;
}

ScriptedServer::Script& ScriptedServer::Script::on_bytes(
    std::function<std::string(std::string_view)> answer) {
  on_bytes_ = std::move(answer);
  return *this;
}

ScriptedServer::Script& ScriptedServer::Script::on_finish(std::function<std::string()> answer) {
  on_finish_ = std::move(answer);
  return *this;
}

ScriptedServer::Script& ScriptedServer::Script::raw(std::vector<std::string> pieces) {
  form_ = Form::raw;
  pieces_ = std::move(pieces);
  return *this;
}

ScriptedServer::Script& ScriptedServer::Script::then_close() {
  then_close_ = true;
  return *this;
}

ScriptedServer::Script& ScriptedServer::Script::hang() {
  form_ = Form::silent;
  return *this;
}

ScriptedServer::Script& ScriptedServer::Script::always() {
  always_ = true;
  return *this;
}

void ScriptedServer::Script::push(std::string piece) {
  if (last_ != nullptr) last_->send(last_->raw() ? std::move(piece) : http::chunk(piece));
}

void ScriptedServer::Script::finish() {
  if (last_ == nullptr) return;
  if (last_->raw()) return last_->end();
  last_->send(std::string{http::last_chunk});
}

ScriptedServer::ScriptedServer() = default;
ScriptedServer::~ScriptedServer() = default;

ScriptedServer::Script& ScriptedServer::expect(std::string method, std::string target) {
  auto& script = scripts_.emplace_back();
  script.method_ = std::move(method);
  script.target_ = std::move(target);
  return script;
}

Connect ScriptedServer::connect() {
  return [this] { return dial(); };
}

void ScriptedServer::refuse_connections(Error error) {
  refusal_ = std::make_unique<Error>(std::move(error));
}

void ScriptedServer::accept_connections() { refusal_.reset(); }

void ScriptedServer::drop_connections() {
  for (auto* connection : open_) connection->break_off(asio::error::connection_reset);
}

ScriptedServer::Script* ScriptedServer::find(const Seen& request) {
  auto wanted = [&](const Script& script) {
    return (script.always_ || script.used_ == 0) && script.method_ == request.method &&
           matches(script.target_, request.target);
  };
  auto found = std::ranges::find_if(scripts_, wanted);
  return found == scripts_.end() ? nullptr : &*found;
}

async::task<std::unique_ptr<Stream>> ScriptedServer::dial() {
  if (refusal_) throw Failure{*refusal_};
  ++connections_;
  co_return std::make_unique<Connection>(*this, co_await asio::this_coro::executor);
}

}  // namespace gantry::net
