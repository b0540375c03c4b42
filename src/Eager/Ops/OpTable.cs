using Fusion.Kernels;

namespace Fusion;

/// <summary>
/// The operators: one row each, grouped in files by family. Everything else (functions in <see cref="Nd"/>, eager execution, gradients, graph
/// nodes, fusion, documentation) is derived from the rows.
/// </summary>
internal static partial class OpTable
{
    // Without an initializer: which of the partial files comes first is up to the compiler.
    private static List<Op>? s_rows;

    /// <summary>Every row.</summary>
    public static IReadOnlyList<Op> Rows => s_rows!;

    private static Op Row(Op op)
    {
        (s_rows ??= []).Add(op);
        return op;
    }

    /// <summary>An element-wise row: its element expression is its eager kernel, too.</summary>
    private static Op Element(ElementOp element, Saved saves, params GradientRule?[] gradient) => Element(element.Name, element, saves, gradient);

    /// <summary>A second row of an element expression, with another gradient.</summary>
    private static Op Element(string name, ElementOp element, Saved saves, params GradientRule?[] gradient) => Row(new Op
    {
        Name = name,
        Arity = element.Arity,
        Infer = (inputs, _, outputs) => outputs[0] = ElementExecution.Infer(element, inputs),
        Run = (inputs, _, outputs) => ElementExecution.Run(element, inputs, outputs[0]),
        DeviceRun = (inputs, _, outputs) => DeviceElementExecution.Run(element, inputs, outputs[0]),
        Gradient = gradient,
        Element = element,
        Saves = saves,
        Cost = Cost.MemoryBound,
    });

    /// <summary>
    /// A row that adds up what an element-wise one computes of inputs of one shape, and one number where there are three. Attributes: <see cref="ReduceAttributes"/>.
    /// </summary>
    private static Op SumOf(Op terms, string name, SumRule run) => Row(new Op
    {
        Name = name,
        IsTotal = true,
        Arity = terms.Arity,
        Infer = (x, attributes, y) => y[0] = ReducedTerms.Infer(name, x, (ReduceAttributes)attributes!),
        Run = (x, attributes, y) => run(x, (ReduceAttributes)attributes!, y[0]),
        DeviceRun = (x, attributes, y) => ReducedTerms.OnDevice(terms, [.. x], (ReduceAttributes)attributes!, y[0]),
        Gradient = ReducedTerms.Gradients(terms),
        Terms = terms,
        Saves = terms.Saves,
    });

    /// <summary>An element-wise row of two inputs whose rules read different values.</summary>
    private static Op Element(ElementOp element, (Saved Saves, GradientRule Rule) first, (Saved Saves, GradientRule Rule) second) => Row(new Op
    {
        Name = element.Name,
        Arity = 2,
        Infer = (inputs, _, outputs) => outputs[0] = ElementExecution.Infer(element, inputs),
        Run = (inputs, _, outputs) => ElementExecution.Run(element, inputs, outputs[0]),
        DeviceRun = (inputs, _, outputs) => DeviceElementExecution.Run(element, inputs, outputs[0]),
        Gradient = [first.Rule, second.Rule],
        Element = element,
        Saves = first.Saves | second.Saves,
        SavesPerInput = [first.Saves, second.Saves],
        Cost = Cost.MemoryBound,
    });

    /// <summary>A row that moves elements; with a view rule nothing is copied.</summary>
    private static Op Move(string name, InferRule infer, ViewRule? view, KernelRule? run, GradientRule? gradient, Saved saves = Saved.None) => Row(new Op
    {
        Name = name,
        Infer = infer,
        IsTotal = true,
        Moves = true,
        View = view,
        Run = run ?? ((inputs, attributes, outputs) => Movement.CopyTo(view!(inputs[0], attributes), outputs[0])),
        DeviceRun = run ?? ((inputs, attributes, outputs) => Movement.CopyTo(view!(inputs[0], attributes), outputs[0])),
        Gradient = [gradient],
        Saves = saves,
        Cost = Cost.MemoryBound,
    });
}
