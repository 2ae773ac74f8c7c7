#include "async/deadline.hpp"
#include "base/encoding.hpp"
#include "base/text.hpp"
#include "cli/columns.hpp"
#include "cli/find_container.hpp"
#include "cli/find_image.hpp"
#include "cli/remote_request.hpp"
#include "cli/verb_tables.hpp"
#include "cli/whole_list.hpp"

#include <fmt/format.h>

// Images of a host, which people name and the API knows by their ids.
namespace gantry::cli {
namespace {

constexpr Milliseconds pull_patience{3'600'000};
// What was tagged a moment ago is in the server's view when its engine has told it.
constexpr int looks_max = 3;
constexpr Milliseconds look_again{400};

/// A server and a host of it.
struct Place {
  std::unique_ptr<ApiClient> server;
  std::string host;

  std::string path(std::string_view below) const {
    return fmt::format("/api/v1/hosts/{}/{}", encoding::percent(host), below);
  }
};

async::task<Result<Place>> place_of(const Context& context, const RemoteCommand& command) {
  auto server = ApiClient::open(context, command.server);
  if (!server) co_return fail(server.error());
  auto host = command.text("host");
  if (host.empty()) {
    auto usual = co_await default_host(**server);
    if (!usual) co_return fail(usual.error());
    host = std::move(*usual);
  }
  co_return Place{std::move(*server), std::move(host)};
}

async::task<Result<FoundImage>> find_image(const Place& place, std::string word) {
  for (int look = 1;; ++look) {
    auto answer = co_await whole_list(*place.server, "list images", place.path("images"));
    if (!answer) co_return fail(answer.error());
    auto found = choose_image(*answer, word, place.host);
    bool may_come = !found && found.error().kind == ErrorKind::not_found && look < looks_max;
    if (!may_come) co_return found;
    co_await async::pause(look_again);
  }
}

int tell(Context& context, const RemoteCommand& command, const json::Value& answer) {
  if (command.format == Format::json) {
    context.terminal.out(json::serialize(answer) + "\n");
  } else if (command.verb->done.empty()) {
    context.terminal.out(members_of(answer));
  } else {
    context.terminal.say(sentence_of(command.verb->done, command.given));
  }
  return 0;
}

}  // namespace

async::task<Result<int>> run_image_pull(Context& context, RemoteCommand command) {
  auto request = request_of(*command.verb, command.given);
  if (!request) co_return fail(request.error());
  auto place = co_await place_of(context, command);
  if (!place) co_return fail(place.error());
  auto doing = fmt::format("pull image '{}'", text::one_line(command.text("reference")));
  auto answer = co_await place->server->post_patiently(doing, place->path("images/pull"),
                                                       std::move(request->body), pull_patience);
  if (!answer) co_return fail(in_words_of(*command.verb, answer.error()));
  co_return tell(context, command, *answer);
}

async::task<Result<int>> run_image(Context& context, RemoteCommand command) {
  auto request = request_of(*command.verb, command.given);
  if (!request) co_return fail(request.error());
  auto place = co_await place_of(context, command);
  if (!place) co_return fail(place.error());
  auto image = co_await find_image(*place, command.text("image"));
  if (!image) co_return fail(image.error());
  // `/tag`, or the query of what is asked of the image itself.
  auto target =
      place->path(fmt::format("images/{}", encoding::percent(image->id))) + request->target;
  bool removes = command.verb->method == "DELETE";
  if (removes && !image->name.empty() && !command.has("force")) {
    target += fmt::format("{}name={}", target.find('?') == std::string::npos ? '?' : '&',
                          encoding::percent(image->name));
  }
  std::optional<json::Value> body;
  if (request->method == "POST") body = std::move(request->body);
  auto doing = fmt::format("{} image '{}'", removes ? "remove" : command.verb->action,
                           text::one_line(command.text("image")));
  auto answer = co_await place->server->send(doing, request->method, target, std::move(body));
  if (!answer) co_return fail(in_words_of(*command.verb, answer.error()));
  co_return tell(context, command, *answer);
}

}  // namespace gantry::cli
