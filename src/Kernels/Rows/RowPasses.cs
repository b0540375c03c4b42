namespace Fusion.Kernels;

/// <summary>What a kernel of the processor does in one pass over a row.</summary>
internal sealed class RowPass
{
    /// <summary>The values of the reductions that the pass completes.</summary>
    public List<int> Reductions { get; } = [];

    /// <summary>Inputs, and values that an earlier pass has kept, that it reads.</summary>
    public SortedSet<int> Loads { get; } = [];

    /// <summary>Values that it computes, in their order.</summary>
    public SortedSet<int> Values { get; } = [];

    /// <summary>Values that it writes out for later passes.</summary>
    public List<int> Kept { get; } = [];

    /// <summary>Indices of the outputs that it stores.</summary>
    public List<int> Stores { get; } = [];

    /// <summary>Indices of the sums over rows that it adds to.</summary>
    public List<int> Sums { get; } = [];

    public bool IsEmpty => Reductions.Count + Stores.Count + Sums.Count == 0;
}

/// <summary>
/// The passes of a row kernel of the processor. A row that is worked on stays in the first-level cache, so a value that a later pass needs, too, is written out there
/// unless it is as quickly computed again; an output is stored by the first pass that can, and read from where it lies. Until then its row has room for a value that
/// is kept. No output is the memory of an input.
/// </summary>
internal sealed class RowPasses
{
    // An operator, and the load of a row; what takes more is kept (a vector that all rows share costs less than a store). A value that is stored anyway is kept at once.
    private const int CheapToRepeat = 2;
    private const int Dear = 100;

    private readonly RowSpec _spec;
    private readonly RowPass[] _passes;
    private readonly int[] _computedIn;
    private readonly int[] _rowOf;
    private readonly bool[] _isUsed;
    private readonly HashSet<int> _kept = [];

    public RowPasses(RowSpec spec)
    {
        _spec = spec;
        _isUsed = new bool[spec.ValueCount];
        foreach (int output in spec.Outputs) Use(output);
        foreach (int sum in spec.Sums) Use(sum);
        _computedIn = new int[spec.ValueCount];
        Array.Fill(_computedIn, -1);
        _passes = new RowPass[spec.LastPass + 1];
        for (int p = 0; p < _passes.Length; p++)
        {
            RowPass pass = _passes[p] = new RowPass();
            pass.Reductions.AddRange(spec.Reductions(p).Where(v => _isUsed[v]));
            pass.Stores.AddRange(Enumerable.Range(0, spec.Outputs.Length).Where(k => IsElementOf(spec.Outputs[k], p)));
            pass.Sums.AddRange(Enumerable.Range(0, spec.Sums.Length).Where(k => IsElementOf(spec.Sums[k], p)));
            foreach (int reduction in pass.Reductions) Need(spec.Steps[reduction - spec.Inputs.Length].Value, p);
            foreach (int k in pass.Stores) Need(spec.Outputs[k], p);
            foreach (int k in pass.Sums) Need(spec.Sums[k], p);
        }

        _rowOf = new int[spec.ValueCount];
        Array.Fill(_rowOf, -1);
        foreach (int v in _kept.Order()) _rowOf[v] = OutputOf(v) is >= 0 and int own ? own : RowFor(v);
        Kept = [.. _kept.Where(v => _rowOf[v] < 0).Order()];
    }

    public ReadOnlySpan<RowPass> Passes => _passes;

    /// <summary>The values that are kept in rows of their own, in the order of these.</summary>
    public int[] Kept { get; }

    /// <summary>The output in whose row a value is kept, or −1.</summary>
    public int RowOf(int value) => _rowOf[value];

    /// <summary>Reductions in the pass that has most.</summary>
    public int MostReductions => _passes.Max(static p => p.Reductions.Count);

    /// <summary>Operators of the kernel for one element, those that are repeated counted again.</summary>
    public int Weight => _passes.Sum(p => p.Values.Sum(OwnWeight));

    /// <summary>Operators of the longest pass.</summary>
    public int MostWeight => _passes.Max(p => p.Values.Sum(OwnWeight));

    /// <summary>The first pass that reads the elements of an operand, or stores them; −1: none, or those of all rows.</summary>
    public int FirstPass(int operand)
    {
        if (!_spec.IsElements(operand) || operand >= _spec.Inputs.Length + _spec.Outputs.Length) return -1;
        if (operand < _spec.Inputs.Length && _spec.Inputs[operand].IsShared) return -1;
        return operand < _spec.Inputs.Length
            ? Array.FindIndex(_passes, p => p.Loads.Contains(operand))
            : Array.FindIndex(_passes, p => p.Stores.Contains(operand - _spec.Inputs.Length) || p.Kept.Exists(v => _rowOf[v] == operand - _spec.Inputs.Length));
    }

    /// <summary>Something reads the value.</summary>
    public bool IsUsed(int value) => _isUsed[value];

    // The output that the value is stored as, or −1.
    private int OutputOf(int value) => _spec.IsMask(value) ? -1 : _spec.Outputs.IndexOf(value);

    // An output that is stored when the value is read for the last time, or later, and keeps no other; −1: none.
    private int RowFor(int value)
    {
        int last = Array.FindLastIndex(_passes, p => p.Loads.Contains(value));
        for (int k = 0; k < _spec.Outputs.Length; k++)
        {
            int output = _spec.Outputs[k];
            if (_spec.Scope(output) == RowScope.Element && !_spec.IsMask(output) && _spec.Depth(output) >= last && !_rowOf.Contains(k)) return k;
        }

        return -1;
    }

    private bool IsElementOf(int value, int pass) => _spec.Scope(value) == RowScope.Element && _spec.Depth(value) == pass;

    private void Use(int value)
    {
        if (_isUsed[value]) return;
        _isUsed[value] = true;
        if (value < _spec.Inputs.Length) return;
        foreach (int argument in _spec.Arguments(value)) Use(argument);
    }

    private void Need(int value, int p)
    {
        if (_spec.Scope(value) != RowScope.Element) return;
        RowPass pass = _passes[p];
        if (pass.Loads.Contains(value) || pass.Values.Contains(value)) return;
        if (value < _spec.Inputs.Length)
        {
            pass.Loads.Add(value);
            return;
        }

        if (_computedIn[value] is >= 0 and int first && IsWorthKeeping(value))
        {
            pass.Loads.Add(value);
            if (_kept.Add(value) && OutputOf(value) < 0) _passes[first].Kept.Add(value);
            return;
        }

        if (_computedIn[value] < 0) _computedIn[value] = p;
        pass.Values.Add(value);
        foreach (int argument in _spec.Arguments(value)) Need(argument, p);
    }

    private bool IsWorthKeeping(int value) =>
        !_spec.IsMask(value) && (_kept.Contains(value) || CostOf(value) > (OutputOf(value) >= 0 ? 1 : CheapToRepeat));

    // Operators and loads that computing it again takes.
    private int CostOf(int value)
    {
        if (_spec.Scope(value) != RowScope.Element) return 0;
        if (value < _spec.Inputs.Length) return _spec.Inputs[value].IsShared ? 0 : 1;
        if (_kept.Contains(value)) return 1;
        int cost = OwnWeight(value);
        foreach (int argument in _spec.Arguments(value))
        {
            if (cost < Dear) cost += CostOf(argument);
        }

        return cost;
    }

    private int OwnWeight(int value) => _spec.Steps[value - _spec.Inputs.Length] switch
    {
        { Kind: RowStepKind.Element, Element.Op: { } op } => op.Weight,
        { Kind: RowStepKind.Repeat } => 0,
        _ => 1,
    };
}
