namespace Fusion;

/// <summary>What is known of an array without its values: element type and shape.</summary>
internal readonly record struct TensorType(DType DType, Shape Shape)
{
    public override string ToString() => $"{DType} {Shape}";
}
