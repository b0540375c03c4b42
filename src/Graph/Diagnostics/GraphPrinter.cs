using System.Globalization;
using System.Text;

namespace Fusion;

/// <summary>Graphs as text, the same for the same function.</summary>
internal static class GraphPrinter
{
    /// <summary>The operator calls of a trace, before equal ones are merged and simplified away; the value that a call became is on the left.</summary>
    public static string Calls(TraceLog log)
    {
        StringBuilder text = new();
        foreach (TracedCall call in log.Calls)
            Append(text, call.Result, call.Op, call.Inputs, call.Attributes, call.Line);
        return text.ToString();
    }

    /// <summary>Arguments, operators and outputs of a function.</summary>
    public static string Function(GraphFunction function)
    {
        StringBuilder text = new();
        foreach (GraphNode argument in function.Arguments) text.Append(CultureInfo.InvariantCulture, $"argument {argument} : {argument.Type}\n");
        foreach (CapturedNode captured in function.Captured) text.Append(CultureInfo.InvariantCulture, $"captured {captured} : {captured.Type}\n");
        foreach (OpNode node in function.Operators) Append(text, node, node.Op, node.Inputs, node.Attributes, null);
        for (int i = 0; i < function.Outputs.Count; i++)
        {
            StateWrite? write = i < function.ResultCount ? null : function.States[i - function.ResultCount];
            string what = write is null ? "output" : write.Array is null ? $"{function.Arguments[write.Argument]} becomes" : "captured array becomes";
            text.Append(CultureInfo.InvariantCulture, $"{what} {function.Outputs[i]}\n");
        }

        return text.ToString();
    }

    /// <summary>The launches of a plan in order, with the operators in each.</summary>
    public static string Groups(Plan plan)
    {
        StringBuilder text = new();
        foreach (PlanGroup group in plan.Groups)
        {
            text.Append(CultureInfo.InvariantCulture, $"{group.Kind} over {group.Shape}: {group.Reason}\n");
            foreach (OpNode member in group.Members)
            {
                text.Append(plan.Written.Contains(member) ? "  stored " : "         ");
                Append(text, member, member.Op, member.Inputs, member.Attributes, null);
            }
        }

        return text.ToString();
    }

    private static void Append(StringBuilder text, GraphNode result, Op op, IReadOnlyList<GraphNode> inputs, object? attributes, string? line)
    {
        text.Append(CultureInfo.InvariantCulture, $"{result} = {op.Name}({string.Join(", ", inputs)}");
        if (attributes is not null) text.Append(CultureInfo.InvariantCulture, $"; {attributes}");
        text.Append(CultureInfo.InvariantCulture, $") : {result.Type}");
        if (line is not null) text.Append("   // ").Append(line);
        text.Append('\n');
    }
}
