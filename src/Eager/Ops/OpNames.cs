namespace Fusion;

/// <summary>What an operator is called elsewhere, for those who look for it; <see langword="null"/> where there is no counterpart.</summary>
internal sealed record OpNames(string? MXNet, string? NumPy, string? PyTorch);

internal sealed partial class Op
{
    /// <summary>The names of the operator in other libraries; <see langword="null"/> for rows that only functions and gradients of this library use.</summary>
    public OpNames? Names { get; private set; }

    /// <summary>The element types of the inputs, in a word, where the element expression does not say.</summary>
    public string Types { get; private set; } = "any";

    /// <summary>
    /// Sets <see cref="Names"/>, separated by commas and each with its module: MXNet's, NumPy's (or SciPy's), PyTorch's; <c>-</c> where there is none. One name
    /// without a module stands for <c>mx.np</c>, <c>np</c> and <c>torch</c>. And <see cref="Types"/>.
    /// </summary>
    public Op Named(string names, string types = "any")
    {
        Types = types;
        string[] parts = names.Split(", ");
        Names = parts.Length == 1 ? new OpNames($"mx.np.{names}", $"np.{names}", $"torch.{names}") : new OpNames(Or(parts[0]), Or(parts[1]), Or(parts[2]));
        return this;

        static string? Or(string name) => name == "-" ? null : name;
    }
}
