#include "html/page.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <cmath>

#include "base/status.h"

namespace deeplab::html {
namespace {

constexpr std::string_view kReplacement = "\xEF\xBF\xBD";  // U+FFFD

/// The length of the UTF-8 sequence that `text` begins with, or 0 if it begins with none
/// (RFC 3629: no overlong forms, no surrogates, nothing above U+10FFFF).
size_t utf8_length(std::string_view text) {
  const auto byte = [text](size_t i) {
    return i < text.size() ? static_cast<unsigned>(static_cast<unsigned char>(text[i])) : 0u;
  };
  const unsigned lead = byte(0);
  if (lead < 0x80) return 1;
  const size_t length = lead >= 0xF0 ? 4 : lead >= 0xE0 ? 3 : 2;
  if (lead < 0xC2 || lead > 0xF4) return 0;
  for (size_t i = 1; i < length; ++i) {
    if ((byte(i) & 0xC0) != 0x80) return 0;
  }
  const unsigned second = byte(1);
  if ((lead == 0xE0 && second < 0xA0) || (lead == 0xED && second > 0x9F) ||
      (lead == 0xF0 && second < 0x90) || (lead == 0xF4 && second > 0x8F)) {
    return 0;
  }
  return length;
}

// Dark ink on paper, one accent; sizes in rem, so that a reader's own size counts.
constexpr std::string_view kStyle = R"css(
:root { --ink: #1d2733; --soft: #5b6876; --line: #d9dfe5; --tint: #f4f6f8; --accent: #2f6db3; }
* { box-sizing: border-box; }
html { background: #fff; -webkit-print-color-adjust: exact; print-color-adjust: exact; }
body { margin: 0 auto; max-width: 62rem; padding: 2.5rem 1.5rem 4rem; color: var(--ink);
  font: 400 0.95rem/1.5 system-ui, -apple-system, "Segoe UI", "DejaVu Sans", sans-serif;
  font-variant-numeric: tabular-nums; }
h1 { font-size: 1.7rem; line-height: 1.25; font-weight: 650; margin: 0; overflow-wrap: anywhere; }
.subtitle { color: var(--soft); margin: 0.3rem 0 0; overflow-wrap: anywhere; }
section { margin-top: 2.6rem; }
h2 { font-size: 1.15rem; font-weight: 650; margin: 0 0 0.8rem; padding-bottom: 0.35rem;
  border-bottom: 1px solid var(--line); }
h3 { font-size: 0.95rem; font-weight: 650; margin: 1.4rem 0 0.5rem; }
p { margin: 0 0 0.8rem; max-width: 46rem; }
.figures { display: flex; flex-wrap: wrap; gap: 0.8rem; margin: 1.8rem 0 0; }
.figures div { flex: 1 1 8.5rem; background: var(--tint); border-radius: 0.5rem;
  padding: 0.8rem 1rem; }
.figures div:first-child { background: var(--accent); color: #fff; }
.figures div:first-child span { color: #e3edf7; }
.figures b { display: block; font-size: 1.55rem; line-height: 1.2; font-weight: 650; }
.figures span { color: var(--soft); font-size: 0.85rem; }
dl.facts { display: grid; grid-template-columns: max-content 1fr; gap: 0.25rem 1.4rem; margin: 0; }
dl.facts dt { color: var(--soft); }
dl.facts dd { margin: 0; overflow-wrap: anywhere; }
table { border-collapse: collapse; width: 100%; font-size: 0.88rem; }
th, td { padding: 0.3rem 0.7rem; border-bottom: 1px solid var(--line); text-align: left; }
th { font-weight: 600; color: var(--soft); }
th.number, td.number { text-align: right; }
thead { display: table-header-group; }
tr { break-inside: avoid; }
figure { margin: 0 0 1.2rem; break-inside: avoid; }
figcaption { color: var(--soft); font-size: 0.85rem; margin-top: 0.35rem; }
svg { display: block; width: 100%; height: auto; }
svg text { font-family: inherit; fill: var(--ink); }
img { display: block; max-width: 100%; }
.triplet { display: grid; grid-template-columns: repeat(3, 1fr); gap: 0.5rem; }
.triplet img { width: 100%; border-radius: 0.2rem; }
.swatch { display: inline-block; width: 0.8em; height: 0.8em; border-radius: 0.15em;
  margin-right: 0.35em; vertical-align: -0.05em; border: 1px solid rgba(0, 0, 0, 0.15); }
.legend { display: flex; flex-wrap: wrap; gap: 0.15rem 1rem; margin: 0 0 1.2rem;
  color: var(--soft); font-size: 0.85rem; }
footer { margin-top: 3rem; padding-top: 0.8rem; border-top: 1px solid var(--line);
  color: var(--soft); font-size: 0.82rem; }
@media print {
  @page { margin: 14mm; }
  body { max-width: none; padding: 0; font-size: 9.5pt; }
  section { margin-top: 1.6rem; }
  h2, h3 { break-after: avoid; }
}
)css";

bool looks_like_number(std::string_view cell) {
  if (cell.empty()) return false;
  return cell.find_first_not_of("0123456789.,+-%eE ") == cell.npos;
}

}  // namespace

std::string valid_utf8(std::string_view text) {
  std::string out;
  out.reserve(text.size());
  while (!text.empty()) {
    const size_t length = utf8_length(text);
    out += length == 0 ? kReplacement : text.substr(0, length);
    text.remove_prefix(length == 0 ? 1 : length);
  }
  return out;
}

std::string escape_html(std::string_view text) {
  std::string out;
  for (const char c : valid_utf8(text)) {
    switch (c) {
      case '&':
        out += "&amp;";
        break;
      case '<':
        out += "&lt;";
        break;
      case '>':
        out += "&gt;";
        break;
      case '"':
        out += "&quot;";
        break;
      default:
        out += c;
    }
  }
  return out;
}

std::string data_uri(std::string_view mime_type, std::span<const std::byte> bytes) {
  constexpr std::string_view kDigits =
      "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
  std::string uri = str_cat("data:", mime_type, ";base64,");
  uri.reserve(uri.size() + (bytes.size() + 2) / 3 * 4);
  for (size_t i = 0; i < bytes.size(); i += 3) {
    const size_t count = std::min<size_t>(3, bytes.size() - i);
    unsigned group = 0;
    for (size_t k = 0; k < 3; ++k) {
      group = group << 8 | (k < count ? std::to_integer<unsigned>(bytes[i + k]) : 0u);
    }
    for (size_t k = 0; k < 4; ++k) {
      uri += k <= count ? kDigits[group >> (18 - 6 * k) & 63u] : '=';
    }
  }
  return uri;
}

std::string fixed(double value, int digits) {
  if (std::isnan(value)) return "-";
  std::array<char, 400> text;  // the longest double has 309 digits before the point
  const auto [end, error] = std::to_chars(text.data(), text.data() + text.size(), value,
                                          std::chars_format::fixed, digits);
  return error == std::errc() ? std::string(text.data(), end) : "-";
}

std::string grouped(int64_t value) {
  std::string text = std::to_string(value);
  const size_t first = text[0] == '-' ? 1 : 0;
  for (size_t at = text.size(); at > first + 3;) {
    at -= 3;
    text.insert(at, 1, ',');
  }
  return text;
}

std::string html_page(std::string_view title, std::string_view subtitle,
                      std::string_view body_html) {
  const std::string name = escape_html(title);
  return str_cat(
      "<!doctype html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n"
      "<meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n<title>",
      name, "</title>\n<style>", kStyle, "</style>\n</head>\n<body>\n<header>\n<h1>", name,
      "</h1>\n<p class=\"subtitle\">", escape_html(subtitle), "</p>\n</header>\n", body_html,
      "</body>\n</html>\n");
}

std::string html_section(std::string_view heading, std::string_view content_html) {
  return str_cat("<section>\n<h2>", escape_html(heading), "</h2>\n", content_html, "</section>\n");
}

std::string html_figures(std::span<const std::pair<std::string, std::string>> figures) {
  std::string html = "<div class=\"figures\">\n";
  for (const auto& [figure, name] : figures) {
    html += str_cat("<div><b>", escape_html(figure), "</b><span>", escape_html(name),
                    "</span></div>\n");
  }
  return html + "</div>\n";
}

std::string html_facts(std::span<const std::pair<std::string, std::string>> facts) {
  std::string html = "<dl class=\"facts\">\n";
  for (const auto& [name, value] : facts) {
    html += str_cat("<dt>", escape_html(name), "</dt><dd>", escape_html(value), "</dd>\n");
  }
  return html + "</dl>\n";
}

std::string html_table(std::span<const std::string> heading,
                       std::span<const std::vector<std::string>> rows) {
  // A column is one of numbers by its first row, so that its heading stands over them.
  const auto is_number = [rows](size_t column) {
    return !rows.empty() && column < rows[0].size() && looks_like_number(rows[0][column]);
  };
  const auto cell = [&](std::string_view tag, size_t column, const std::string& text) {
    return str_cat("<", tag, is_number(column) ? " class=\"number\">" : ">", escape_html(text),
                   "</", tag, ">");
  };
  std::string html = "<table>\n<thead><tr>";
  for (size_t c = 0; c < heading.size(); ++c) html += cell("th", c, heading[c]);
  html += "</tr></thead>\n<tbody>\n";
  for (const std::vector<std::string>& row : rows) {
    html += "<tr>";
    for (size_t c = 0; c < row.size(); ++c) html += cell("td", c, row[c]);
    html += "</tr>\n";
  }
  return html + "</tbody>\n</table>\n";
}

std::string html_figure(std::string_view content_html, std::string_view caption) {
  return str_cat("<figure>\n", content_html, "<figcaption>", escape_html(caption),
                 "</figcaption>\n</figure>\n");
}

}  // namespace deeplab::html
