using System.Globalization;
using System.Text;

namespace Fusion;

/// <summary>Draws a plan: a box per launch, arrows for the values that pass between them.</summary>
internal static class DotWriter
{
    public static void Write(StringBuilder text, Plan? plan, string name)
    {
        if (plan is null) return;
        Dictionary<GraphNode, string> home = [];
        for (int i = 0; i < plan.Groups.Count; i++)
        {
            PlanGroup group = plan.Groups[i];
            string id = $"{name}{i}";
            foreach (OpNode member in group.Members) home[member] = id;
            string shape = group.Kind == GroupKind.Library ? "ellipse" : group.Kind == GroupKind.View ? "plaintext" : "box";
            text.Append(CultureInfo.InvariantCulture, $"  {id} [shape={shape}, label=\"{string.Join("\\n", group.Members.Select(static m => m.Op.Name))}\\n{group.Shape}\"];\n");
        }

        HashSet<(string, string)> drawn = [];
        foreach (PlanGroup group in plan.Groups)
        {
            foreach (OpNode member in group.Members)
            {
                foreach (GraphNode input in member.Inputs)
                {
                    if (input is ConstantNode) continue;
                    string from = home.TryGetValue(input, out string? id) ? id : $"{name}_{input}";
                    if (from != home[member] && drawn.Add((from, home[member]))) text.Append(CultureInfo.InvariantCulture, $"  \"{from}\" -> {home[member]};\n");
                }
            }
        }
    }
}
