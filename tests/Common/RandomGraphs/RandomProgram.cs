using System.Globalization;
using System.Text;

namespace Fusion.Tests.RandomGraphs;

/// <summary>
/// A program over arrays, made of numbers: (r, c), (r, c), (c), (r, 1) and () as inputs, a captured (c, c) matrix, then one value per instruction. Results
/// are the last value and one chosen earlier.
/// </summary>
/// <param name="Body">The instructions.</param>
/// <param name="Result">The second result.</param>
/// <param name="Rows">Which size of <see cref="Sizes"/>.</param>
/// <param name="Columns">Which size of <see cref="Sizes"/>.</param>
/// <param name="Special">Whether inputs hold zeros of both signs, infinities and NaN.</param>
public sealed record RandomProgram(Instruction[] Body, int Result, int Rows, int Columns, bool Special)
{
    /// <summary>The sizes of axes: around the vector widths, empty, one, and enough for two threads.</summary>
    public static readonly int[] Sizes = [3, 2, 1, 4, 7, 16, 17, 33, 0, 64, 130, 257];

    private NDArray? _matrix;

    /// <summary>Where its arrays lie.</summary>
    public Device Device { get; init; } = Device.Cpu;

    /// <summary>The types of the inputs, then of the captured array, of a program that may do everything of <see cref="MixedOps"/>. Empty: all are Float32.</summary>
    public IReadOnlyList<DType> Types { get; init; } = [];

    /// <summary>The program without the instructions that draw random numbers, whose order is that of the calls.</summary>
    public RandomProgram WithoutDraws() => this with { Body = Array.FindAll(Body, i => (Types.Count > 0 ? MixedOps.NameOf(i) : ProgramOps.NameOf(i)) is not ("Dropout" or "Noise")) };

    /// <summary>The captured array for the program's own number of columns.</summary>
    public NDArray Matrix => _matrix ??= Typed(TestArrays.Uniform((Sizes[Columns], Sizes[Columns]), 99), 5).To(Device);

    /// <summary>Fresh inputs, the second one strided; other rows than the program's own test a change of shapes.</summary>
    public NDArray[] Inputs(int? rows = null)
    {
        int r = Sizes[rows ?? Rows];
        int c = Sizes[Columns];
        Shape[] shapes = [(r, c), (r, c), c, (r, 1), default];
        NDArray[] inputs = [.. shapes.Select((shape, i) => Typed(Special ? TestArrays.Special(shape, i + 1) : TestArrays.Uniform(shape, i + 1), i).To(Device))];
        inputs[1] = inputs[1].Transpose().Copy().Transpose();
        return inputs;
    }

    /// <summary>The program as a function to be traced, differentiated or run.</summary>
    public IReadOnlyList<NDArray> Run(IReadOnlyList<NDArray> inputs) => Run(inputs, null);

    /// <summary>The program as text, one value per line with its shape.</summary>
    public override string ToString()
    {
        StringBuilder text = new();
        (int r, int c) = (Sizes[Rows], Sizes[Columns]);
        string special = Special ? " with special values" : string.Empty;
        text.AppendLine(CultureInfo.InvariantCulture, $"inputs v0 ({r}, {c}), v1 ({r}, {c}), v2 ({c},), v3 ({r}, 1), v4 (){special}; captured v5 ({c}, {c}){(Types.Count > 0 ? $"; {string.Join(", ", Types)}" : string.Empty)}");
        using (Autograd.TrainMode()) Run(Inputs(), text);
        IEnumerable<string> body = Body.Select(static i => $"new({i.Op}, {i.First}, {i.Second}, {i.Detail})");
        text.AppendLine(CultureInfo.InvariantCulture, $"as data: new([{string.Join(", ", body)}], {Result}, {Rows}, {Columns}, {(Special ? "true" : "false")})");
        return text.ToString();
    }

    private NDArray[] Run(IReadOnlyList<NDArray> inputs, StringBuilder? text)
    {
        List<NDArray> values = [.. inputs, Matrix];
        foreach (Instruction instruction in Body)
        {
            int first = Operand(instruction.First, values.Count);
            int second = Operand(instruction.Second, values.Count);
            (string name, NDArray? value) = Types.Count > 0 ? MixedOps.Apply(instruction, values[first], values[second]) : ProgramOps.Apply(instruction, values[first], values[second]);
            if (value is null) (name, value) = ("Tanh", (values[first].DType.IsFloat ? values[first] : values[first].AsType(DType.Float32)).Tanh());
            text?.AppendLine(CultureInfo.InvariantCulture, $"v{values.Count} = {name}(v{first}, v{second}, {instruction.Detail})    {value.Type}");
            values.Add(value);
        }

        int other = Operand(Result, values.Count);
        text?.AppendLine(CultureInfo.InvariantCulture, $"return v{values.Count - 1}, v{other}");
        return [values[^1], values[other]];
    }

    // Integers of both signs up to ten.
    private NDArray Typed(NDArray array, int place) =>
        Types.Count == 0 || Types[place] == DType.Float32 ? array : Types[place].IsFloat || Types[place] == DType.Bool ? array.AsType(Types[place]) : (array * 5).AsType(Types[place]);

    // Small numbers mean recent values: chains are likelier than stars, and shrinking makes them likelier still.
    private static int Operand(int number, int count) => count - 1 - number % count;
}
