#include "core/compose/diagram.hpp"

#include <algorithm>
#include <cmath>
#include <cstdio>

namespace fastaudio {

namespace {

struct Line {
  std::string left;
  std::string right;
};

std::string describe(const StreamSpec& spec) {
  return spec.unit.empty() ? to_string(spec) : to_string(spec) + " " + spec.unit;
}

std::string latency(const StreamSpec& spec) {
  if (spec.rate_hz == 0) return "at the end";
  if (std::isinf(spec.latency_s)) return "waits for the end";
  char text[40];
  std::snprintf(text, sizeof text, "latency %.3g s", spec.latency_s);
  return text;
}

void draw(const Node& node, const StreamSpec& input, const std::string& indent, bool last,
          std::vector<Line>& lines) {
  StreamSpec spec = input;
  const auto parts = node.parts();
  for (std::size_t i = 0; i < parts.size(); ++i) {
    const bool final_part = last && i + 1 == parts.size();
    bool outputs_shown = false;
    for (const Child& child : parts[i]->children()) {
      if (child.role == Role::clip) continue;
      const bool comes_out = child.role == Role::output;
      lines.push_back({indent + child.name + ":", ""});
      draw(*child.node, spec, indent + "  ", final_part && comes_out, lines);
      outputs_shown = outputs_shown || comes_out;
    }
    const auto outputs = parts[i]->outputs(spec);
    for (std::size_t o = 0; !outputs_shown && o < outputs.size(); ++o) {
      const std::string name = outputs.size() > 1 ? outputs[o].name + " " : "";
      std::string right = "-> " + name + describe(outputs[o].spec);
      if (final_part) right += ", " + latency(outputs[o].spec);
      lines.push_back({indent + (o == 0 ? parts[i]->summary() : ""), right});
    }
    spec = outputs.front().spec;
  }
}

}  // namespace

std::string diagram(const Node& node, const StreamSpec& input) {
  std::vector<Line> lines;
  draw(node, input, "", true, lines);
  std::size_t width = 0;
  for (const Line& line : lines) width = std::max(width, line.left.size());
  std::string text;
  for (const Line& line : lines) {
    if (!text.empty()) text += "\n";
    text += line.left;
    if (!line.right.empty()) text += std::string(width - line.left.size() + 2, ' ') + line.right;
  }
  return text;
}

}  // namespace fastaudio
