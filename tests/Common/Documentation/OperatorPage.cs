using System.Reflection;
using System.Text;

namespace Fusion.Tests;

/// <summary>The page docs/operators.md, written from the operator table and the documentation comments of the library.</summary>
public static class OperatorPage
{
    private const string Introduction =
        """
        # Operators

        <!-- Generated from the operator table: see tests/Repository.Tests/OperatorPageTests.cs. Do not edit. -->

        Every operator is one row of `src/Eager/Ops/OpTable.*.cs`. Functions are static methods of `Nd` and extension methods of `NDArray`.

        - **Types**: *real* is Float32 and Float64 (functions convert integers and Bool to Float32), *number* also Int32, Int64 and UInt8, *integer* those alone, *truth* is Bool; *any* leaves it to the function.
        - **Gradient**: differentiable, to any order; *zero* is a derivative that is 0 by definition.
        - **Fused**: *yes* becomes part of a larger kernel when hybridized, *view* moves no elements at all.
        - **Device**: *yes* has a kernel for accelerators; *processor* is computed by the processor on copies, and the result goes back ([gpu.md](gpu.md)).
        - MXNet's names are those of `mx.np`, `mx.npx` and `mx.nd`; *scipy* stands where NumPy has no such function.

        """;

    /// <summary>The text of the page.</summary>
    public static string Write()
    {
        DocumentationComments comments = DocumentationComments.Of(typeof(Nd).Assembly);
        StringBuilder page = new(Introduction);
        Op[] rows = [.. OpTable.Rows.OrderBy(row => row.Name, StringComparer.Ordinal)];
        page.Append("\n## The table\n\n| Operator | Formula | MXNet | NumPy | PyTorch | Types | Gradient | Fused | Device |\n|---|---|---|---|---|---|---|---|---|\n");
        foreach (Op row in rows)
        {
            if (row.Names is not { } names) continue;
            string[] counterparts = [Code(names.MXNet), Code(names.NumPy), Code(names.PyTorch)];
            Cells(page, [$"`{row.Name}`", Formula(row, comments), .. counterparts, Types(row), Gradient(row), Fused(row), OnDevice(row)]);
        }

        page.Append("\n## Functions made of these operators\n\n| Function | Formula |\n|---|---|\n");
        HashSet<string> named = [.. rows.Select(row => row.Name)];
        foreach (string name in Functions().Where(name => !named.Contains(name))) Cells(page, $"`{name}`", comments.Function(name) ?? string.Empty);
        page.Append("\n## Rows that functions and gradients use\n\n| Operator | Formula | Gradient | Fused | Device |\n|---|---|---|---|---|\n");
        foreach (Op row in rows.Where(row => row.Names is null)) Cells(page, $"`{row.Name}`", Formula(row, comments), Gradient(row), Fused(row), OnDevice(row));
        return page.ToString();
    }

    private static IEnumerable<string> Functions() => typeof(Nd)
        .GetMethods(BindingFlags.Public | BindingFlags.Static | BindingFlags.DeclaredOnly)
        .Select(method => method.Name)
        .Distinct()
        .Order(StringComparer.Ordinal);

    // The function's own words where there is one; else those of the row.
    private static string Formula(Op row, DocumentationComments comments) =>
        comments.Function(row.Name)
        ?? comments.Function(row.Name.Replace("Random", "Random.", StringComparison.Ordinal))
        ?? comments.Row(row.Name)
        ?? string.Empty;

    private static string Types(Op row) =>
        row.Element is not { } element ? row.Types : element.IsLogical ? "truth" : element.SupportsInteger ? "number" : "real";

    private static string Gradient(Op row) =>
        row.Impure || row.Gradient is null ? "–" : Array.TrueForAll(row.Gradient, static rule => rule is null) ? "zero" : "yes";

    private static string Fused(Op row) => row.Element is not null ? "yes" : row.View is not null ? "view" : "no";

    private static string OnDevice(Op row) => row.View is not null || row.DeviceRun is not null ? "yes" : "processor";

    private static string Code(string? name) => name is null ? "–" : $"`{name}`";

    private static void Cells(StringBuilder page, params ReadOnlySpan<string> cells)
    {
        foreach (string cell in cells) page.Append("| ").Append(cell.Replace("|", "\\|", StringComparison.Ordinal)).Append(' ');
        page.Append("|\n");
    }
}
