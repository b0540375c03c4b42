namespace Fusion.Oracle.Programs;

/// <summary>An input: its axes by number (−1 for one of size 1), how its values are drawn, and whether its elements lie apart in memory.</summary>
internal sealed record ProgramInput(int[] Axes, DType DType, int Seed, bool IsStrided)
{
    // Float32 has none of the numbers below its least normal one: LibTorch computes in Float64, where they are not small.
    private static readonly double[] s_special = [0, -0.0, double.PositiveInfinity, double.NegativeInfinity, double.NaN, 1, -1, 0, 5e-324, -1e-310, 2.2250738585072014e-308];

    private const int Wide = 8;

    /// <summary>Every third number is a zero, an infinity or no number, in Float64 also denormal.</summary>
    public bool IsSpecial { get; init; }

    public Shape Shape(int[] sizes) => Axes.Select(a => a < 0 ? 1 : sizes[a]).ToArray();

    public NDArray Draw(int[] sizes)
    {
        Shape shape = Shape(sizes);
        Random random = new(Seed);
        double[] values = [.. Enumerable.Range(0, (int)shape.Size).Select(_ => DType.IsFloat ? Real(random) : random.Next(DType == DType.Bool ? 2 : 7))];
        NDArray x = Nd.Array(values, shape).AsType(DType);
        return IsStrided && shape.Rank > 1 ? x.Transpose().Copy().Transpose() : x;
    }

    private double Real(Random random) => IsSpecial && random.Next(3) == 0 ? s_special[random.Next(DType == DType.Float64 ? s_special.Length : Wide)] : (random.NextDouble() * 4) - 2;
}

/// <summary>An operator of a program: which rule, of which values (inputs first), with parameters drawn from a seed.</summary>
internal sealed record Instruction(int Rule, int[] Operands, int Seed);

/// <summary>A program over arrays; what no instruction uses are its results. Where an instruction does not fit its operands, it copies the first.</summary>
internal sealed record OracleProgram(ProgramInput[] Inputs, Instruction[] Body, int[] Sizes, int[] OtherSizes)
{
    private readonly Dictionary<string, ProgramPlan> _plans = [];

    // A program that differs has plans of its own.
    private OracleProgram(OracleProgram other) => (_plans, Inputs, Body, Sizes, OtherSizes) = ([], other.Inputs, other.Body, other.Sizes, other.OtherSizes);

    /// <summary>Whether infinities and NaN are among its values.</summary>
    public bool IsSpecial => Inputs.Any(static i => i.IsSpecial);

    /// <summary>The values that are results.</summary>
    public int[] Results
    {
        get
        {
            HashSet<int> used = [.. Body.SelectMany(static i => i.Operands)];
            return [.. Enumerable.Range(Inputs.Length, Body.Length).Where(i => !used.Contains(i))];
        }
    }

    public NDArray[] Draw(int[] sizes) => [.. Inputs.Select(i => i.Draw(sizes))];

    /// <summary>What is done with inputs of these shapes.</summary>
    public ProgramPlan PlanFor(IReadOnlyList<NDArray> inputs)
    {
        string key = string.Join(' ', inputs.Select(static x => x.Shape));
        if (!_plans.TryGetValue(key, out ProgramPlan? plan)) _plans[key] = plan = ProgramPlan.Of(this, inputs);
        return plan;
    }

    /// <summary>The program as a function of ours.</summary>
    public IReadOnlyList<NDArray> Run(IReadOnlyList<NDArray> inputs)
    {
        ProgramPlan plan = PlanFor(inputs);
        List<NDArray> values = [.. inputs];
        for (int i = 0; i < Body.Length; i++) values.Add(plan.Steps[i].Ours([.. Body[i].Operands.Select(k => values[k])]));
        return [.. Results.Select(i => values[i])];
    }
}
