using System.Globalization;
using System.Text;

namespace Fusion;

/// <summary>One operator, argument or number of a recorded computation.</summary>
/// <param name="Name">The argument's name, or the operator's with a number.</param>
/// <param name="Op">The operator; null for an argument, <c>Constant</c> for a C# number.</param>
/// <param name="Inputs">The nodes it reads.</param>
/// <param name="Shape">The shape of the value; of the output that is used first for an operator of several.</param>
/// <param name="DType">The element type belonging to <paramref name="Shape"/>.</param>
public sealed record SymbolNode(string Name, string? Op, IReadOnlyList<SymbolNode> Inputs, Shape Shape, DType DType)
{
    /// <summary>The number that a constant stands for.</summary>
    public double? Value { get; init; }
}

/// <summary>The recorded computation behind an array, as a graph to read: what <c>autograd.get_symbol</c> gives in MXNet.</summary>
public sealed class Symbol
{
    internal Symbol(NDArray head)
    {
        Dictionary<object, SymbolNode> made = new(ReferenceEqualityComparer.Instance);
        List<SymbolNode> order = [];
        Dictionary<string, int> counts = [];
        Stack<(object Source, DType DType, Shape Shape)> open = new();
        open.Push((head.Source ?? head, head.DType, head.Shape));
        while (open.TryPeek(out (object Source, DType DType, Shape Shape) top))
        {
            if (made.ContainsKey(top.Source))
            {
                open.Pop();
                continue;
            }

            if (top.Source is not TapeNode node)
            {
                open.Pop();
                Add(top.Source, top.Source is NDArray { IsConstant: true } number
                    ? new SymbolNode(Unique("constant"), "Constant", [], top.Shape, top.DType) { Value = Movement.Cast(number, DType.Float64).ScalarDouble() }
                    : new SymbolNode(Unique("var"), null, [], top.Shape, top.DType));
                continue;
            }

            if (node.IsReleased) throw Errors.GraphReleased(node);
            bool ready = true;
            for (int i = node.InputCount - 1; i >= 0; i--)
            {
                TapeEdge edge = node.Edge(i);
                if (made.ContainsKey(edge.Source)) continue;
                open.Push((edge.Source, edge.DType, edge.Shape));
                ready = false;
            }

            if (!ready) continue;
            open.Pop();
            SymbolNode[] inputs = new SymbolNode[node.InputCount];
            for (int i = 0; i < inputs.Length; i++) inputs[i] = made[node.Edge(i).Source];
            Add(node, new SymbolNode(Unique(node.Op.Name.ToLowerInvariant()), node.Op.Name, inputs, top.Shape, top.DType));
        }

        Nodes = order;

        void Add(object source, SymbolNode node)
        {
            made.Add(source, node);
            order.Add(node);
        }

        string Unique(string name)
        {
            int number = counts.GetValueOrDefault(name);
            counts[name] = number + 1;
            return name + number.ToString(CultureInfo.InvariantCulture);
        }
    }

    /// <summary>Arguments and operators, inputs before their users; the last one is the head.</summary>
    public IReadOnlyList<SymbolNode> Nodes { get; }

    /// <summary>The names of the arguments, in the order of their first use.</summary>
    public IReadOnlyList<string> ListArguments()
    {
        List<string> names = [];
        foreach (SymbolNode node in Nodes)
            if (node.Op is null) names.Add(node.Name);
        return names;
    }

    /// <summary>One line per argument, number and operator.</summary>
    public override string ToString()
    {
        StringBuilder text = new();
        foreach (SymbolNode node in Nodes)
        {
            if (node.Op is null) text.Append(CultureInfo.InvariantCulture, $"{node.Name}: {node.DType} {node.Shape}\n");
            else if (node.Value is { } value) text.Append(CultureInfo.InvariantCulture, $"{node.Name} = {value}\n");
            else text.Append(CultureInfo.InvariantCulture, $"{node.Name} = {node.Op}({string.Join(", ", node.Inputs.Select(static i => i.Name))})\n");
        }

        return text.ToString();
    }

    /// <summary>The graph in Graphviz's DOT language.</summary>
    public string ToDot()
    {
        StringBuilder text = new("digraph {\n");
        foreach (SymbolNode node in Nodes)
        {
            string label = node.Op is null ? $"{node.Name}\\n{node.DType} {node.Shape}" : node.Value?.ToString(CultureInfo.InvariantCulture) ?? node.Op;
            text.Append(CultureInfo.InvariantCulture, $"  {node.Name} [label=\"{label}\"{(node.Op is null ? ", shape=box" : string.Empty)}];\n");
            foreach (SymbolNode input in node.Inputs) text.Append(CultureInfo.InvariantCulture, $"  {input.Name} -> {node.Name};\n");
        }

        return text.Append("}\n").ToString();
    }
}
