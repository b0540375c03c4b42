using System.Numerics.Tensors;

namespace Fusion.HandWritten;

/// <summary>The same chains with one pass of TensorPrimitives an operator, over three buffers that are kept.</summary>
internal sealed class PrimitiveChains(int size)
{
    private readonly float[] _first = new float[size], _second = new float[size];

    public void MultiplyAdd(float[][] x, float[] result) => TensorPrimitives.MultiplyAdd(x[0], x[1], x[2], result);

    public void Gated(float[][] x, float[] result)
    {
        TensorPrimitives.MultiplyAdd(x[0], x[1], x[2], _first);
        TensorPrimitives.Tanh(_first, _first);
        TensorPrimitives.Sigmoid(x[3], _second);
        TensorPrimitives.Multiply(_first, _second, _first);
        TensorPrimitives.Multiply(x[0], 0.5f, _second);
        TensorPrimitives.Add(_first, _second, _first);
        TensorPrimitives.Max(x[2], 0f, _second);
        TensorPrimitives.Subtract(_first, _second, result);
    }

    public void Gelu(float[][] x, float[] result)
    {
        TensorPrimitives.Multiply(x[0], x[0], _first);
        TensorPrimitives.Multiply(_first, x[0], _first);
        TensorPrimitives.Multiply(_first, 0.044715f, _first);
        TensorPrimitives.Add(_first, x[0], _first);
        TensorPrimitives.Multiply(_first, 0.7978845608f, _first);
        TensorPrimitives.Tanh(_first, _first);
        TensorPrimitives.Add(_first, 1f, _first);
        TensorPrimitives.Multiply(_first, x[0], _first);
        TensorPrimitives.Multiply(_first, 0.5f, result);
    }

    public void TenCheap(float[][] x, float[] result)
    {
        TensorPrimitives.Subtract(x[0], x[1], _first);
        TensorPrimitives.Multiply(_first, x[2], _first);
        TensorPrimitives.Multiply(x[1], x[3], _second);
        TensorPrimitives.Subtract(_second, x[2], _second);
        TensorPrimitives.Add(x[0], x[3], result);
        TensorPrimitives.MultiplyAdd(_second, result, _first, _first);
        TensorPrimitives.Max(_first, x[1], _first);
        TensorPrimitives.MultiplyAdd(_first, 0.5f, x[0], result);
    }
}
