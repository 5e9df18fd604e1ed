// Escaping, data URIs, numbers as text, and the frame of a page.
#include "html/page.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>
#include <limits>

#include "tests/html/markup.h"

namespace deeplab::html {
namespace {

using ::testing::HasSubstr;
using testing::is_well_formed;
using testing::stands_alone;

TEST(Html, EscapesMarkupAndKeepsLetters) {
  EXPECT_EQ(escape_html("a<b & \"c\" > d"), "a&lt;b &amp; &quot;c&quot; &gt; d");
  EXPECT_EQ(escape_html("Stra\xC3\x9F"
                        "e \xE6\xA4\x85 \xF0\x9F\x90\x88"),
            "Stra\xC3\x9F"
            "e \xE6\xA4\x85 \xF0\x9F\x90\x88");
  EXPECT_EQ(escape_html(""), "");
}

TEST(Html, ReplacesWhatIsNotUtf8) {
  const std::string mark = "\xEF\xBF\xBD";
  EXPECT_EQ(escape_html("a\xFF"
                        "b"),
            "a" + mark + "b");
  EXPECT_EQ(escape_html("\xC3"), mark);                                // cut off
  EXPECT_EQ(escape_html("\xC0\xAF"), mark + mark);                     // an overlong '/'
  EXPECT_EQ(escape_html("\xE0\x80\xAF"), mark + mark + mark);          // another one
  EXPECT_EQ(escape_html("\xED\xA0\x80"), mark + mark + mark);          // a surrogate
  EXPECT_EQ(escape_html("\xF4\x90\x80\x80").size(), 4 * mark.size());  // above U+10FFFF
  EXPECT_EQ(escape_html("\xE6\xA4<"), mark + mark + "&lt;");
}

TEST(Html, DataUriIsBase64) {
  const auto uri = [](std::string_view text) {
    return data_uri("text/plain", std::as_bytes(std::span(text)));
  };
  // RFC 4648, section 10.
  EXPECT_EQ(uri(""), "data:text/plain;base64,");
  EXPECT_EQ(uri("f"), "data:text/plain;base64,Zg==");
  EXPECT_EQ(uri("fo"), "data:text/plain;base64,Zm8=");
  EXPECT_EQ(uri("foobar"), "data:text/plain;base64,Zm9vYmFy");
  EXPECT_EQ(uri("\xFF\xFE\xFD"), "data:text/plain;base64,//79");
}

TEST(Html, NumbersAsText) {
  EXPECT_EQ(fixed(0.68454, 4), "0.6845");
  EXPECT_EQ(fixed(-2.5, 0), "-2");
  EXPECT_EQ(fixed(1e300, 0).size(), 301u);
  EXPECT_EQ(fixed(std::numeric_limits<double>::quiet_NaN(), 2), "-");
  EXPECT_EQ(grouped(0), "0");
  EXPECT_EQ(grouped(999), "999");
  EXPECT_EQ(grouped(1000), "1,000");
  EXPECT_EQ(grouped(12345678), "12,345,678");
  EXPECT_EQ(grouped(-123456), "-123,456");
}

TEST(Html, APageOfEverythingIsWellFormedAndStandsAlone) {
  const std::vector<std::pair<std::string, std::string>> pairs = {{"0.5", "mean <IoU>"},
                                                                  {"a&b", "\"c\""}};
  const std::vector<std::string> heading = {"Class", "Pixels"};
  const std::vector<std::vector<std::string>> rows = {{"<cat>", "1,234"}, {"dog", "-"}};
  const std::string body =
      html_figures(pairs) +
      html_section("A & B", html_facts(pairs) + html_table(heading, rows) +
                                html_figure("<img src=\"data:image/png;base64,\" alt=\"x\">", "<"));
  const std::string page = html_page("m<o>del.tflite", "a & b", body);
  EXPECT_TRUE(is_well_formed(page));
  EXPECT_TRUE(stands_alone(page));
  EXPECT_THAT(page, HasSubstr("<title>m&lt;o&gt;del.tflite</title>"));
  // Numbers stand under a heading that is set to the right, too.
  EXPECT_THAT(page, HasSubstr("<th class=\"number\">Pixels</th>"));
  EXPECT_THAT(page, HasSubstr("<td class=\"number\">1,234</td>"));
  EXPECT_THAT(page, HasSubstr("<td>&lt;cat&gt;</td>"));
}

TEST(Html, TheCheckersCanSayNo) {
  for (const char* bad : {"<p>", "</p>", "<p></b></p>", "a & b", "a < b", "<p class=x></p>"}) {
    EXPECT_FALSE(is_well_formed(bad)) << bad;
  }
  EXPECT_FALSE(stands_alone("<img src=\"a.png\">"));
  EXPECT_FALSE(stands_alone("<p style=\"https://a.b/c\">"));
}

}  // namespace
}  // namespace deeplab::html
