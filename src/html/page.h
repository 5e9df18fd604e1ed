// Report pages: one HTML file each, with style, charts and pictures inside, that opens without a
// network, reads well on paper, and runs no script. Text given to these functions is escaped by
// them; only what is called `html` or `svg` is taken as it is.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace deeplab::html {

/// The text with U+FFFD in place of each byte that is not UTF-8.
std::string valid_utf8(std::string_view text);

/// Safe as text and inside double quotes, and valid_utf8().
std::string escape_html(std::string_view text);

/// "data:image/png;base64,...", for src="".
std::string data_uri(std::string_view mime_type, std::span<const std::byte> bytes);

/// "0.6845": a fixed number of digits after the point, in no locale but C's; "-" for NaN.
std::string fixed(double value, int digits);
/// "12,345,678".
std::string grouped(int64_t value);

/// The whole file: `title` as heading and tab, `subtitle` below it, then `body_html`.
std::string html_page(std::string_view title, std::string_view subtitle,
                      std::string_view body_html);

/// A section with its heading, kept together in print if it fits on a page.
std::string html_section(std::string_view heading, std::string_view content_html);

/// A row of large figures with what each is: {"0.6845", "mean IoU"}.
std::string html_figures(std::span<const std::pair<std::string, std::string>> figures);

/// Two columns, name and value: what was measured and how.
std::string html_facts(std::span<const std::pair<std::string, std::string>> facts);

/// A table; cells that hold numbers are set to the right. Rows of the heading's length.
std::string html_table(std::span<const std::string> heading,
                       std::span<const std::vector<std::string>> rows);

/// Something to look at (svg, img) with a line below it.
std::string html_figure(std::string_view content_html, std::string_view caption);

}  // namespace deeplab::html
