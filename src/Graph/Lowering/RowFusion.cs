using Fusion.Kernels;

namespace Fusion;

/// <summary>Which parts of the tiles become one kernel of the processor: as many as follow each other, have formulas, and fit.</summary>
internal sealed class RowFusion(PlanGroup group, HashSet<GraphNode> leaves, Func<OpNode, int, bool> isReadAfter)
{
    // Shorter rows are not worth loops of their own.
    private const long LeastColumns = 64;

    // Operators of a pass for one element, which a turn of its loop has for up to four registers, and of all passes.
    private const int MaxPassWeight = 100;
    private const int MaxWeight = 2 * KernelCompiler.MaxOperators;
    private const int MaxReductionsPerPass = 4;
    private const int MaxOperands = 24;

    private readonly RowLayout _layout = group.Rows!;

    /// <summary>Kernels have rows like these.</summary>
    public static bool Takes(RowFrame frame) => frame.Columns is >= LeastColumns and <= ReduceTree.Block;

    /// <summary>The longest program that begins at a tile and can be compiled, its kernel, and how many tiles it has; none: one.</summary>
    /// <param name="tiles">The indices of the parts that are tiles.</param>
    /// <param name="start">An index into them.</param>
    public (RowProgram? Program, RowKernel? Kernel, int Count) From(List<int> tiles, int start)
    {
        if (!KernelCompiler.IsAvailable || !Takes(_layout.Frame)) return (null, null, 1);
        DType? type = null;
        int end = start;
        for (; end < tiles.Count && Fits(tiles[end], ref type); end++) { }
        for (; end - start > 0; end--)
        {
            List<int> indices = tiles[start..end];
            if (!indices.Exists(i => group.Parts[i].Kind == GroupKind.Library)) break;
            RowProgram program = new(
                group.Parts, indices, _layout, leaves, indices.SelectMany(i => group.Parts[i].Members).Where(m => isReadAfter(m, indices[^1]) && !IsSum(m)).OrderBy(static m => m.Id));
            if (Fits(program) && KernelCompiler.TryCompile(program.Spec) is { } kernel) return (program, kernel, end - start);
        }

        return (null, null, 1);
    }

    private static bool IsSum(OpNode member) => member.Op.Sums is not null;

    // The part computes numbers of the type, and masks, from such.
    private bool Fits(int part, ref DType? type)
    {
        PlanGroup own = group.Parts[part];
        if (own.StreamOperands > 0 || (own.Kind == GroupKind.Library && own.Members[0].Op is not ({ Formula: not null, Rows.Check: null } or { Sums: not null }))) return false;
        DType numbers = type ?? own.Reads.Concat(own.Members).Select(static n => n.DType).FirstOrDefault(static t => t.IsFloat, DType.Bool);
        if (numbers is not (DType.Float32 or DType.Float64 or DType.Bool)) return false;
        foreach (GraphNode node in own.Reads.Concat(own.Members))
            if (node.DType != numbers && node.DType != DType.Bool) return false;
        foreach (OpNode member in own.Members)
            if (own.Kind == GroupKind.Elementwise && member.Op.Element is null) return false;
        if (numbers != DType.Bool) type = numbers;
        return true;
    }

    private bool Fits(RowProgram program)
    {
        if (program.Reads.Count + program.Outputs.Length > MaxOperands || program.Outputs.Length + program.Sums.Length == 0) return false;
        foreach (OpNode output in program.Outputs)
            if (output.DType == DType.Bool && output.Shape.Size != _layout.Frame.Rows * _layout.Frame.Columns) return false;
        RowPasses passes = new(program.Spec);
        return passes.MostReductions <= MaxReductionsPerPass && passes.MostWeight <= MaxPassWeight && passes.Weight <= MaxWeight;
    }
}
