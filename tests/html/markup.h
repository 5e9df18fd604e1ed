// Looks at HTML and SVG as a strict reader would.
#pragma once

#include <gtest/gtest.h>

#include <set>
#include <string>
#include <string_view>
#include <vector>

namespace deeplab::html::testing {

/// Every tag is closed in order, every attribute is quoted, no bare '<' or '&' in the text.
inline ::testing::AssertionResult is_well_formed(std::string_view markup) {
  static const std::set<std::string, std::less<>> kVoid = {"meta", "img", "br"};
  std::vector<std::string> open;
  const auto wrong = [&](size_t at, std::string_view what) {
    return ::testing::AssertionFailure() << what << ": " << markup.substr(at, 80);
  };
  for (size_t at = 0; at < markup.size(); ++at) {
    if (markup[at] == '&') {
      const size_t end = markup.find(';', at);
      if (end == markup.npos || end - at > 8) return wrong(at, "bare &");
    }
    if (markup[at] != '<') continue;
    if (markup.substr(at, 2) == "<!") {
      at = markup.find('>', at);
      continue;
    }
    const bool closes = markup.substr(at, 2) == "</";
    const size_t name_at = at + (closes ? 2 : 1);
    const size_t name_end =
        markup.find_first_not_of("abcdefghijklmnopqrstuvwxyz0123456789", name_at);
    const std::string name(markup.substr(name_at, name_end - name_at));
    if (name.empty()) return wrong(at, "bare <");
    size_t end = name_end;
    bool quoted = false;
    for (; end < markup.size() && (quoted || markup[end] != '>'); ++end) {
      if (markup[end] == '"') quoted = !quoted;
      if (quoted && markup[end] == '<') return wrong(at, "< in an attribute");
      if (!quoted && markup[end] == '=' && markup[end + 1] != '"') return wrong(at, "no quotes");
    }
    if (end == markup.size()) return wrong(at, "tag without end");
    if (closes) {
      if (open.empty() || open.back() != name) return wrong(at, "closes what is not open");
      open.pop_back();
    } else if (markup[end - 1] != '/' && !kVoid.contains(name)) {
      open.push_back(name);
      if (name == "style") end = markup.find("</style>", end) - 1;
    }
    at = end;
  }
  if (!open.empty()) return ::testing::AssertionFailure() << open.back() << " stays open";
  return ::testing::AssertionSuccess();
}

/// Nothing in the page asks for another file, and nothing runs.
inline ::testing::AssertionResult stands_alone(std::string_view page) {
  for (const std::string_view bad : {"<script", "<link", "<iframe", "url(", "@import", "onload="}) {
    if (page.find(bad) != page.npos) return ::testing::AssertionFailure() << bad;
  }
  for (size_t at = 0; (at = page.find("src=\"", at)) != page.npos; ++at) {
    if (!page.substr(at + 5).starts_with("data:image/")) {
      return ::testing::AssertionFailure() << page.substr(at, 60);
    }
  }
  for (size_t at = 0; (at = page.find("://", at)) != page.npos; ++at) {
    const size_t line = page.rfind('"', at) + 1;  // SVG's namespace is a name, not a place
    if (!page.substr(line).starts_with("http://www.w3.org/2000/svg\"")) {
      return ::testing::AssertionFailure() << page.substr(line, 60);
    }
  }
  return ::testing::AssertionSuccess();
}

inline size_t count_of(std::string_view text, std::string_view what) {
  size_t count = 0;
  for (size_t at = 0; (at = text.find(what, at)) != text.npos; at += what.size()) ++count;
  return count;
}

}  // namespace deeplab::html::testing
