#include "bindings/arguments.hpp"
#include "bindings/made.hpp"
#include "core/compose/diagram.hpp"

namespace fastaudio::bindings {

namespace {

const char* name_of(Role role) {
  constexpr const char* kNames[] = {"step", "output", "joined", "condition", "clip"};  // in the enum's order
  return kNames[static_cast<std::size_t>(role)];
}

void register_spec(py::module_& m) {
  py::class_<StreamSpec> spec(m, "StreamSpec",
                              "What flows between two nodes: rows of one shape at one rate.");
  def_init(
      spec,
      [](double rate_hz, std::vector<std::int64_t> shape, std::string unit, double bin_hz) {
        if (!(rate_hz > 0)) {
          throw ValueError("StreamSpec: expected rate_hz above 0, got " + std::to_string(rate_hz));
        }
        StreamSpec spec = StreamSpec::samples(rate_hz);
        spec.shape = std::move(shape);
        if (unit != spec.unit) spec.kind = StreamSpec::Kind::rows;
        if (bin_hz > 0) spec.kind = StreamSpec::Kind::spectrum;
        spec.unit = std::move(unit);
        spec.bin_hz = bin_hz;
        check_spec(spec);
        return std::make_unique<StreamSpec>(std::move(spec));
      },
      py::kw_only(), py::arg("rate_hz").noconvert(), py::arg("shape") = std::vector<std::int64_t>{},
      py::arg("unit") = "samples", py::arg("bin_hz").noconvert() = 0.0);
  spec.def_property_readonly(
          "kind", [](const StreamSpec& spec) { return std::string(name_of(spec.kind)); },
          "What a row is: 'samples', 'spectrum' (value k belongs to k * bin_hz), 'scores' (value k belongs "
          "to\n"
          "labels[k]), 'events', or 'rows' for any other numbers.")
      .def_property_readonly("once", &StreamSpec::once, "Whether one row comes at the end.")
      .def_readonly("rate_hz", &StreamSpec::rate_hz, "Rows per second; 0 for one row at the end.")
      .def_property_readonly(
          "shape",
          [](const StreamSpec& spec) -> py::typing::Tuple<int, py::ellipsis> {
            return py::tuple(py::cast(spec.shape));
          },
          "Shape of one row; () is a sample.")
      .def_readonly("unit", &StreamSpec::unit, "Such as 'samples', 'power', 'probability'.")
      .def_readonly("labels", &StreamSpec::labels,
                    "Names of scores along the last axis; none for other kinds.")
      .def_readonly("span_s", &StreamSpec::span_s, "Row k covers span_s seconds from k / rate_hz.")
      .def_readonly("bin_hz", &StreamSpec::bin_hz,
                    "Distance between the values of a spectrum; 0 for other kinds.")
      .def_readonly("latency_s", &StreamSpec::latency_s,
                    "Row k comes out at the latest once k / rate_hz + latency_s seconds of input are there; "
                    "a clip-level row comes at the end whatever this says.")
      .def("__repr__", [](const StreamSpec& spec) { return to_string(spec) + " " + spec.unit; });
}

}  // namespace

NodeClass register_node(py::module_& m) {
  register_spec(m);
  return NodeClass(
             m, "Node",
             "One step of a pipeline. It never changes, so threads may share it.\n\n"
             "`node(rows)` computes a whole signal and `node.open()` a stream of blocks; both give the same "
             "bits.\n`a >> b` composes, `print(node.diagram())` draws. Constructors raise TypeError for an "
             "option of a wrong\ntype or an unknown name, and ValueError for one outside its range.")
      .def("__repr__", &Node::repr)
      .def(
          "__eq__",
          [](const Node& self, const py::object& other) {
            return py::isinstance<Node>(other) && self.repr() == other.cast<const Node&>().repr();
          },
          py::is_operator(), py::arg("other"))
      .def("__hash__", [](const Node& self) { return py::hash(py::str(self.repr())); })
      .def_property_readonly("input_spec", &Node::input,
                             "The input that its options ask for, or None if it takes any rows.")
      .def(
          "output_specs",
          [](const Node& self, const StreamSpec& input) {
            py::typing::Dict<py::str, StreamSpec> specs;
            const auto outputs = unlocked([&] { return self.outputs(input); });
            for (const Output& output : outputs) specs[py::str(output.name)] = output.spec;
            return specs;
          },
          py::arg("input"),
          "Specs of what comes out for `input`, by the outputs' names ('' if there is one).")
      .def(
          "receptive_field_s",
          [](const Node& self, const StreamSpec& input) {
            return unlocked([&] { return self.receptive_field_s(input); });
          },
          py::arg("input"),
          "Seconds of `input` that one row depends on, for the output where that is most; infinite if "
          "a row may depend on all before it.")
      .def(
          "to_dict",
          [](const Node& self) -> py::typing::Dict<py::str, py::object> {
            throw TypeError(self.summary() + ": expected a class that can be saved, got one without to_dict");
          },
          "The node as a card holds it: its name and the options that are not default.")
      .def(
          "children",
          [](const Node& self) {
            py::typing::List<Node> list;
            for (const Child& child : self.children()) list.append(unconst(child.node));
            return list;
          },
          "The nodes within a composite, in order; none in other nodes.")
      .def(
          "child_roles",
          [](const Node& self) {
            py::typing::List<py::str> list;
            for (const Child& child : self.children()) list.append(name_of(child.role));
            return list;
          },
          "What each child takes, and what becomes of its rows:\n\n"
          "'step' takes the rows of the child before it; the last child's rows come out.\n"
          "'output' takes the composite's input; its rows come out unchanged.\n"
          "'joined' takes the composite's input; rows made from its rows come out.\n"
          "'condition' takes the composite's input; its rows only change those of the other children.\n"
          "'clip' takes each clip that the composite cuts out of its input as a whole signal.")
      .def_static(
          "child_arguments", [] { return py::typing::Dict<py::str, py::str>(); },
          "The constructor's arguments that hold children, each with its form: 'node', 'list' or 'dict'.")
      .def(
          "with_children",
          [](const Node& self, const py::typing::List<Node>& nodes) {
            std::vector<NodePtr> children;
            for (const py::handle node : nodes) {
              if (!py::isinstance<Node>(node)) {
                throw TypeError(self.summary() + ": expected nodes, got " + text_of(node));
              }
              children.push_back(node.cast<std::shared_ptr<Node>>());
            }
            return unconst(unlocked([&] { return self.with_children(std::move(children)); }));
          },
          py::arg("nodes"),
          "A node of the same type and options with other children; a node without any returns itself.\n\n"
          "Raises:\n    ValueError: their number doesn't fit, or they don't fit each other.\n")
      .def(
          "parts",
          [](const Node& self) {
            py::typing::List<Node> list;
            for (const NodePtr& part : self.parts()) list.append(unconst(part));
            return list;
          },
          "The nodes that run one after another: those of a Sequential, else the node itself.")
      .def("cuts_windows", &Node::cuts_windows, "Whether it cuts its input into windows.")
      .def(
          "with_hop",
          [](const Node& self, const Argument<int>& n_rows) {
            const int n = n_rows.read(self.summary().c_str(), "n_rows");
            return unconst(unlocked([&] { return self.with_hop(n); }));
          },
          py::arg("n_rows"),
          "The same node with a window every `n_rows` input rows.\n\n"
          "Raises:\n    ValueError: it doesn't cut windows, or the hop is outside its range.\n")
      .def(
          "diagram",
          [](const Node& self, const std::optional<StreamSpec>& input) {
            const auto spec = input ? input : self.input();
            if (!spec) throw ValueError(self.summary() + ": expected an input spec to draw for, got none");
            return unlocked([&] { return diagram(self, *spec); });
          },
          py::arg("input") = py::none(), "Draws the node and its parts as text, with the rows between them.");
}

}  // namespace fastaudio::bindings
