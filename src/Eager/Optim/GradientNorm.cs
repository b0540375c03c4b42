namespace Fusion.Optim;

/// <summary>
/// The norm of all gradients together. It converts to <see cref="double"/>, which reads the value; inside a traced function use <see cref="Array"/>, since a
/// number that is read there would be frozen into the compiled function.
/// </summary>
public readonly struct GradientNorm
{
    internal GradientNorm(NDArray array) => Array = array;

    /// <summary>The norm as an array of rank 0, Float64.</summary>
    public NDArray Array { get; }

    /// <summary>The norm.</summary>
    public double Value => Array.Item<double>();

    /// <summary>The norm as a number.</summary>
    public static implicit operator double(GradientNorm norm) => norm.Value;

    /// <summary>The norm as a number: for languages without conversion operators.</summary>
    public double ToDouble() => Value;

    /// <summary>The norm as text.</summary>
    public override string ToString() => Array.IsSymbolic ? Array.ToString() : Value.ToString("R", System.Globalization.CultureInfo.InvariantCulture);
}
